"""NOTIFY and IDLE: news of folders while the client waits."""
