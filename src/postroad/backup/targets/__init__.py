"""Where backups are kept: a directory, a machine reached by ssh, an S3 store."""
