-- The same curtailment is recorded once, however often it is sent. What was recorded before
-- has no key.

ALTER TABLE curtailments ADD COLUMN key TEXT;
CREATE UNIQUE INDEX curtailments_by_key ON curtailments (household, key);
