//! `switchroom erase`

use super::token::workspace;
use super::{Failure, Settings, load};
use crate::id::ContactId;
use crate::journal::erase::{Whose, erase};
use clap::Args;
use std::io::Write;
use std::process::ExitCode;

/// Erase what people said and who they are, of a customer or a contact; the server may run.
#[derive(Args, Debug)]
pub struct Erase {
    /// Every contact of this customer, by the integrator's id.
    #[arg(long, value_name = "ID", required_unless_present = "contact")]
    pub customer: Option<String>,
    /// This contact.
    #[arg(long, value_name = "ID", conflicts_with = "customer")]
    pub contact: Option<ContactId>,
    /// Workspace; needed where the configuration has several.
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// By what the server runs.
    #[command(flatten)]
    pub settings: Settings,
}

impl Erase {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (config, _) = load(&self.settings)?;
        let workspace = workspace(&config, self.workspace.as_deref())?;
        let whose = match (&self.customer, self.contact) {
            (Some(customer), _) => Whose::Customer(customer.clone()),
            (None, Some(contact)) => Whose::Contact(contact),
            (None, None) => {
                let text = "name a customer with --customer, or a contact with --contact";
                return Err(Failure::Unknown(text.into()));
            }
        };
        let erased = erase(&config.server.data.join(&workspace.rules.name), &whose)?;
        if erased.contacts == 0 && erased.alive == 0 {
            writeln!(
                out,
                "nothing is kept of it in workspace {}",
                workspace.rules.name
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(
            out,
            "erased: {} and {} deleted from the log",
            counted(erased.contacts, "contact"),
            counted(erased.texts, "text")
        )?;
        if erased.alive > 0 {
            writeln!(
                out,
                "left: {} not yet closed; erase again when that has happened",
                counted(erased.alive, "contact")
            )?;
        }
        if !erased.copied {
            writeln!(
                out,
                "what was deleted is still in a file ending in -wal, because somebody reads the database; erase again"
            )?;
        }
        let left = erased.alive > 0 || !erased.copied;
        Ok(if left {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
