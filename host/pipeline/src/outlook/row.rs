//! The rows of the decision tables, by the names that plans, audit and `outlook why` show.

/// Declares the rows with their names and what they mean.
macro_rules! rows {
    ($($(#[$meta:meta])* $case:ident = $name:literal, $meaning:literal;)+) => {
        /// A row of a decision table: E is what the headquarters did since both last agreed, R what Outlook did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Row { $($(#[$meta])* #[doc = $meaning] $case,)+ }

        impl Row {
            /// Every row.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// Its name, `9` or `P2`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $name),+ }
            }

            /// What the row says.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$case => $meaning),+ }
            }
        }
    };
}

rows! {
    R1 = "1", "new in the headquarters, in the window: made in Outlook";
    R2 = "2", "new in the headquarters, outside the window: nothing";
    R3 = "3", "new in Outlook, transfer is on: becomes an activity";
    R4 = "4", "new in Outlook, not transferred (transfer is off, private, or another mailbox's)";
    R5 = "5", "there on both sides already, and equal: linked";
    R6 = "6", "there on both sides already, and different: linked, the text priority decides";
    R7 = "7", "unchanged on both sides: nothing";
    R8 = "8", "changed in the headquarters: written to Outlook";
    R9 = "9", "changed in Outlook: taken over or put back, field by field";
    R10 = "10", "changed on both sides, in different fields: merged";
    R11 = "11", "changed on both sides, in the same field: the text priority decides";
    R12 = "12", "changed on both sides to the same: agreed";
    R13 = "13", "canceled in the headquarters: deleted in Outlook if it lies in the future, else left there";
    R14 = "14", "canceled in the headquarters, changed in Outlook";
    R15 = "15", "deleted in Outlook";
    R16 = "16", "deleted in Outlook, changed in the headquarters";
    R17 = "17", "gone on both sides";
    R18 = "18", "the window has moved past it: both sides stay as they are";
    R19 = "19", "no longer meets the criteria: left alone, after seven days no longer synchronised";
    R20 = "20", "moved out of the window in Outlook: a change of its time";
    R21 = "21", "moved to another calendar that is synchronised";
    R22 = "22", "moved to a calendar that is not synchronised: left alone";
    R23 = "23", "what became of it is not known: looked at again in the next run";
    R24 = "24", "completed or rejected in the headquarters: shown as free, kept";
    R25 = "25", "somebody else's meeting: followed, never written to";
    P1 = "P1", "from Mobile, changed in the headquarters: written to Outlook";
    P2 = "P2", "from Mobile, changed in Outlook: put back";
    P3 = "P3", "from Mobile, changed on both sides: the headquarters' values";
    P4 = "P4", "from Mobile, deleted in Outlook: comes back once";
    P5 = "P5", "from Mobile, withdrawn or rejected: deleted only when it is gone and lies in the future";
    P6 = "P6", "a copy of one of our items: our key is taken off, it counts as new in Outlook";
    P7 = "P7", "put back too often today: left as it is, and marked as locked, until tomorrow";
    P8 = "P8", "from Mobile and Delayed: frozen";
    P9 = "P9", "the representative changed: removed from the old calendar";
    P10 = "P10", "our own write, seen again: nothing";
}

impl std::fmt::Display for Row {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}
