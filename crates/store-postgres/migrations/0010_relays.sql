-- The last command to each household's relay, and whether its meter has obeyed.

CREATE TABLE relays (
    household BIGINT PRIMARY KEY REFERENCES households (id),
    number BIGINT NOT NULL CHECK (number > 0),
    position TEXT NOT NULL CHECK (position IN ('open', 'closed')),
    not_after_us BIGINT,
    ordered_at_us BIGINT NOT NULL,
    obeyed_at_us BIGINT,
    version BIGINT NOT NULL,
    CHECK (position = 'closed' OR not_after_us IS NOT NULL)
);
CREATE INDEX relays_pending ON relays (household) WHERE obeyed_at_us IS NULL;
