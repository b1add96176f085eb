//! What the market does for households that have set rules.

mod rules;
