"""The interfaces of other packages."""
