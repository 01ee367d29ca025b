"""The steps of the way; `every` lists them."""
