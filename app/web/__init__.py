"""app.web: the local server, its routes and its guards."""
