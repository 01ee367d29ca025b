"""The same declarations as AWS infrastructure: names, policies, and the templates made of them."""
