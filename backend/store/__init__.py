"""The database: tables, transactions and every query of the backend."""
