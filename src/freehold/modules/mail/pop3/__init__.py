"""Reading mail over POP3: what each command decides (protocols/pop3 has the grammar)."""
