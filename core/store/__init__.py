"""Where everything is kept: units of work over SQL, one module of statements an aggregate."""
