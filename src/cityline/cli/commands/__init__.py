"""One module per family of commands; each is loaded when one of its commands is called."""
