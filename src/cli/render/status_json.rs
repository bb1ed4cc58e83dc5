//! The matrix for scripts. It is written account by account: a large organization's does not fit into memory twice.

use serde_json::{Map, Value, json};

use crate::live::{Matrix, Row, State};
use crate::organization::AccountState;

/// What stands for the Region of a component that has none.
pub const GLOBAL: &str = "global";

/// The whole of `status --format json`, in pieces.
pub fn status_json<'m>(
    matrix: &'m Matrix,
    rows: impl Iterator<Item = &'m Row> + 'm,
) -> impl Iterator<Item = String> + 'm {
    let parts = rows.enumerate().map(|(at, row)| {
        let comma = if at == 0 { "" } else { "," };
        format!("{comma}{}", account(matrix, row))
    });
    std::iter::once("{\"accounts\":[".to_owned())
        .chain(parts)
        .chain(std::iter::once("]}\n".to_owned()))
}

/// One account of the document.
pub fn account(matrix: &Matrix, row: &Row) -> Value {
    let mut components: Map<String, Value> = Map::new();
    for (column, state) in matrix.columns.iter().zip(&row.cells) {
        let region = column
            .region
            .as_ref()
            .map_or(GLOBAL, |region| region.as_str());
        if let Value::Object(regions) = components
            .entry(column.component.clone())
            .or_insert_with(|| Value::Object(Map::new()))
        {
            regions.insert(region.to_owned(), Value::from(state.name()));
        }
    }
    json!({
        "id": row.account,
        "name": row.name,
        "path": row.path,
        "environment": row.environment,
        "state": account_state(&row.state),
        "components": components,
    })
}

/// Of the account itself, in Organizations' words.
pub fn account_state(state: &AccountState) -> String {
    match state {
        AccountState::PendingActivation => "PENDING_ACTIVATION".to_owned(),
        AccountState::Active => "ACTIVE".to_owned(),
        AccountState::Suspended => "SUSPENDED".to_owned(),
        AccountState::PendingClosure => "PENDING_CLOSURE".to_owned(),
        AccountState::Closed => "CLOSED".to_owned(),
        AccountState::Unknown(text) => text.clone(),
    }
}

/// Rows that a command was asked for.
pub fn chosen(matrix: &Matrix, failed_only: bool) -> impl Iterator<Item = &Row> {
    matrix
        .rows
        .iter()
        .filter(move |row| !failed_only || row.cells.iter().any(|state| is_trouble(*state)))
}

fn is_trouble(state: State) -> bool {
    !state.is_well()
}
