"""The resources."""

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.view import exception_view_config, notfound_view_config, view_config


@view_config(route_name="root", request_method="GET", renderer="json")
def root(request):
    """What there is."""
    return {
        "project": "{{project}}",
        "resources": [request.route_path("sum"), request.route_path("echo", text="TEXT")],
    }


@view_config(route_name="echo", request_method="GET", renderer="json")
def echo(request):
    """A part of the address and the query."""
    return {"text": request.matchdict["text"], "query": dict(request.params)}


@view_config(route_name="sum", request_method="POST", renderer="json")
def add(request):
    """The sum of a JSON array of numbers."""
    try:
        numbers = request.json_body
    except ValueError:
        raise HTTPBadRequest("the body is not JSON") from None
    if not isinstance(numbers, list) or not all(type(number) in (int, float) for number in numbers):
        raise HTTPBadRequest("the body must be a JSON array of numbers")
    return {"sum": sum(numbers)}


@exception_view_config(HTTPBadRequest, renderer="json")
def bad_request(error, request):
    """A request that cannot be understood."""
    request.response.status_int = 400
    return {"error": error.detail}


@notfound_view_config(renderer="json")
def not_found(request):
    """Every other address, and every other method."""
    request.response.status_int = 404
    return {"error": "there is nothing at %s %s" % (request.method, request.path)}
