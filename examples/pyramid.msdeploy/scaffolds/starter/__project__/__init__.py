"""{{project}}: a Pyramid application with HTML pages."""

from pyramid.config import Configurator


def main(global_config, **settings):
    """The WSGI application, as PasteDeploy asks for it."""
    with Configurator(settings=settings) as config:
        config.add_static_view("static", "static", cache_max_age=3600)
        config.add_route("home", "/")
        config.add_route("hello", "/hello/{name}")
        config.scan(".views")
        return config.make_wsgi_app()
