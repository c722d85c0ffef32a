"""A miniature Kit: stand-ins for the modules that the extension touches, over real USD and real PhysX.

Files below ``modules`` lie where Kit's own modules lie; the names that they offer are held against
``signatures.json``, and what begins with an underscore is for the tests. ``installed()`` puts them on Python's path and
takes them, and every module that imported them, away again.
"""

from standin.kit import Kit, installed

__all__ = ["Kit", "installed"]
