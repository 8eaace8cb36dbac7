"""What each kind of object is: pure facts and functions, one module a kind."""
