DROP TABLE dkim_key;
