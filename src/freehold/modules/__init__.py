"""Features. Modules never import each other."""
