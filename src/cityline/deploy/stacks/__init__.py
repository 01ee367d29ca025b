"""One module a stack: from the declarations to its template."""
