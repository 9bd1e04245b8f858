"""What a session knows of the folder it has open."""
