"""The SQL database: connections, transactions, migrations."""
