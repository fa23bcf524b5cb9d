-- oldest program: 5
-- The same mail may come to several of our mailboxes; one of them answers it.

create index letter_copies on letter (mail_id, address) where mail_id <> '' and direction = 'inbound';
