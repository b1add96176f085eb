//! Names of people, and the aliases neighbours know them by.

const FIRST: [&str; 32] = [
    "Achieng", "Baraka", "Chebet", "Daudi", "Esther", "Fatuma", "Gathoni", "Hassan", "Imani", "Juma",
    "Kamau", "Leah", "Mutua", "Naliaka", "Omondi", "Purity", "Rehema", "Salim", "Tabitha", "Upendo",
    "Wanjiru", "Yusuf", "Zawadi", "Akinyi", "Barasa", "Cherono", "Dorcas", "Ekiru", "Faith", "Kioko",
    "Mwende", "Njeri",
];
const LAST: [&str; 29] = [
    "Mutiso",
    "Ndunge",
    "Kilonzo",
    "Musyoka",
    "Wambua",
    "Nzioka",
    "Muthoka",
    "Mbithi",
    "Ngugi",
    "Otieno",
    "Wafula",
    "Kiprono",
    "Cheruiyot",
    "Maina",
    "Odhiambo",
    "Nyaga",
    "Kariuki",
    "Mwangi",
    "Kibet",
    "Auma",
    "Makau",
    "Kyalo",
    "Munyao",
    "Mumo",
    "Katua",
    "Nzomo",
    "Kimani",
    "Simiyu",
    "Lokwang",
];
/// Trees, birds and stars: say nothing of who lives there.
const ALIASES: [&str; 36] = [
    "Mbuyu",
    "Mwembe",
    "Mgunga",
    "Mkuyu",
    "Mvule",
    "Mnazi",
    "Mwarobaini",
    "Mkaratusi",
    "Mpera",
    "Mchungwa",
    "Korongo",
    "Kasuku",
    "Tai",
    "Njiwa",
    "Kanga",
    "Bundi",
    "Mwewe",
    "Heroe",
    "Kunguru",
    "Shomoro",
    "Zuhura",
    "Kilimia",
    "Mwezi",
    "Zuhali",
    "Mshtarii",
    "Nyota",
    "Jua",
    "Upepo",
    "Mawingu",
    "Mvua",
    "Tembo",
    "Twiga",
    "Duma",
    "Swala",
    "Kiboko",
    "Pundamilia",
];

/// A person's name; different for every household up to 928.
pub fn name(household: u32) -> String {
    let place = household as usize;
    let (first, last) = (FIRST[place % FIRST.len()], LAST[place % LAST.len()]);
    let round = place / (FIRST.len() * LAST.len());
    if round == 0 { format!("{first} {last}") } else { format!("{first} {last} {}", round + 1) }
}

/// What neighbours see; different for every household.
pub fn alias(household: u32) -> String {
    let place = household as usize;
    let alias = ALIASES[place % ALIASES.len()];
    let round = place / ALIASES.len();
    if round == 0 { alias.to_owned() } else { format!("{alias} {}", round + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nobody_shares_a_name_or_an_alias() {
        for count in [80, 1_000] {
            assert_eq!((0..count).map(name).collect::<BTreeSet<_>>().len(), count as usize);
            assert_eq!((0..count).map(alias).collect::<BTreeSet<_>>().len(), count as usize);
        }
    }
}
