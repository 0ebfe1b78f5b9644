"""Sage 200 over its REST interface: the client, typed documents, reference data, read-back. Pure."""
