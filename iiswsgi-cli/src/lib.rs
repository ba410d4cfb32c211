//! The iiswsgi command.
