"""The rules of the desk. Pure: values and `now` in, decisions out."""
