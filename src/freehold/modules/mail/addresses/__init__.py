"""Who an address is: resolving, and the rules of adding and removing."""
