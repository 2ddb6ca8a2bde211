SELECT 'accounts for which capabilities are switched off; their clients are offered them again',
       count(*) FROM account WHERE switched_off != '';
