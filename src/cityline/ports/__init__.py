"""What we ask of the outside: small protocols that adapters fulfil.

Tables cross as Arrow or as versions of an address, never as a driver's object.
"""
