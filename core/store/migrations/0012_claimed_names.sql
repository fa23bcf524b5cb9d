-- oldest program: 5
-- How whoever uses an address calls themself, which proves nothing; and when the provider says that something became of a message.

alter table contact_medium add column claimed_name text;
alter table delivery_report add column told_at bigint;
