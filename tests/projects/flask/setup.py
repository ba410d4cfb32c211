from setuptools import setup

setup(
    name="flask-notes",
    version="1.0",
    description="Notes with Flask",
    author="The iiswsgi contributors",
    url="https://example.org/flask-notes/",
    packages=["notes"],
    package_data={"notes": ["templates/*.html"]},
    install_requires=["Flask>=3.1,<3.2", "MarkupSafe>=3,<4"],
    title="Notes",
    msdeploy_url_template="{msdeploy_package_url}",
)
