//! The sample master data, and the names that the demo uses of it.

/// The sales channel.
pub(super) const CHANNEL: &str = "B2B";
/// The user who runs the import: manager of the others.
pub(super) const USER: &str = "A";
/// A lead of Mobile: a customer that neither the headquarters nor the customers of the feed have.
pub(super) const LEAD: &str = "L00001";
/// The master data as `load` takes it.
pub(super) const MASTER_DATA: &str = include_str!("master-data.toml");

/// A customer of the feed: id, name, street, post code, city.
pub(super) type SampleCustomer = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Customers that are new to the headquarters: Import customers makes partners of them.
pub(super) const NEW_CUSTOMERS: [SampleCustomer; 6] = [
    ("C00019", "Sklep Pod Lipami", "Lipowa 14", "80-429", "Gdańsk"),
    ("C00020", "Piekarnia Złoty Kłos", "Rynek 6", "37-700", "Przemyśl"),
    ("C00021", "Hurtownia Bałtyk", "Portowa 21", "81-350", "Gdynia"),
    ("C00022", "Kawiarnia Na Rogu", "Szeroka 9", "87-100", "Toruń"),
    ("C00023", "Market Zielony", "Polna 33", "15-281", "Białystok"),
    ("C00024", "Bistro Cztery Pory", "Mostowa 2", "61-854", "Poznań"),
];
