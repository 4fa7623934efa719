insert into shop.item values (1, 'pen', 3), (2, 'ink', 12);
