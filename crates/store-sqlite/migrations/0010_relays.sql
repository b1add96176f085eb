-- The last command to each household's relay, and whether its meter has obeyed.

CREATE TABLE relays (
    household INTEGER PRIMARY KEY REFERENCES households (id),
    number INTEGER NOT NULL CHECK (number > 0),
    position TEXT NOT NULL CHECK (position IN ('open', 'closed')),
    not_after_us INTEGER,
    ordered_at_us INTEGER NOT NULL,
    obeyed_at_us INTEGER,
    version INTEGER NOT NULL,
    CHECK (position = 'closed' OR not_after_us IS NOT NULL)
) STRICT;
CREATE INDEX relays_pending ON relays (household) WHERE obeyed_at_us IS NULL;
