import subprocess
import sys

from iiswsgi import install_msdeploy
from setuptools import setup


class install_notes(install_msdeploy.install_msdeploy):
    """An installation that migrates the database."""

    def run(self):
        self.pre_install()
        self.post_install()
        migrate = [sys.executable, "-m", "django", "migrate", "--settings", "notes.settings", "--noinput"]
        subprocess.run(migrate, check=True)


setup(
    name="django-notes",
    version="1.0",
    description="Notes with Django",
    author="The iiswsgi contributors",
    url="https://example.org/django-notes/",
    packages=["notes", "notes.migrations"],
    package_data={"notes": ["templates/*.html"]},
    install_requires=["Django>=4.2,<5.3"],
    cmdclass={"install_msdeploy": install_notes},
    title="Notes",
    msdeploy_url_template="{msdeploy_package_url}",
)
