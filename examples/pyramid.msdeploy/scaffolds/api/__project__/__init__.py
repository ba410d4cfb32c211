"""{{project}}: a Pyramid application that answers JSON."""

from pyramid.config import Configurator


def main(global_config, **settings):
    """The WSGI application, as PasteDeploy asks for it."""
    with Configurator(settings=settings) as config:
        config.add_route("root", "/")
        config.add_route("sum", "/sum")
        config.add_route("echo", "/echo/{text:.*}")
        config.scan(".views")
        return config.make_wsgi_app()
