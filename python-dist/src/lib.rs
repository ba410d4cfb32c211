//! A Python distribution: its metadata, its iiswsgi settings and its MANIFEST.in file list.
