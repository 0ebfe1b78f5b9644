"""The settlements flow, step by step: landed document -> lines -> journal -> posting plan."""
