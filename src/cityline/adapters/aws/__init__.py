"""Amazon's services, and servers that speak like them. Needs the extra `aws`."""
