"""Where sources come from: open-data portals and files."""
