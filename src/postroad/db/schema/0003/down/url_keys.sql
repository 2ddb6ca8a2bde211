DROP TABLE url_key;
