"""Keys, certificates and the TLS contexts made of them."""
