from glob import glob

from distutils.core import setup

setup(name="old", version="0.1", packages=["pkg"], scripts=glob("bin/*"))
