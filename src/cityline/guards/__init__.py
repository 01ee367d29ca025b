"""The guards: protect, govern and monitor judge and record; they never change a row."""
