//! Both engines have the same tables.

use super::*;

/// Table, column and whether it must have a value, in the order of the columns.
type Column = (String, String, bool);

fn columns(engine: &Engine, sql: &'static str) -> Vec<Column> {
    let query = move |database: &mut dyn Database| {
        let rows = database.query(sql, &[])?.into_iter();
        rows.map(|mut row| Ok((row.take()?, row.take()?, row.take()?))).collect()
    };
    engine.open().load(query).unwrap().unwrap()
}

#[test]
fn both_engines_have_the_same_tables() {
    let Some(postgres) = Engine::postgres() else { return };
    let of_sqlite = columns(
        &Engine::sqlite().unwrap(),
        "SELECT m.name, c.name, c.\"notnull\" OR c.pk > 0 FROM sqlite_schema m
            JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
    );
    let of_postgres = columns(
        &postgres,
        "SELECT table_name::text, column_name::text,
                CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
            FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'moim_schema'
            ORDER BY table_name, ordinal_position",
    );
    assert!(of_sqlite.len() > 50, "{of_sqlite:?}");
    assert_eq!(of_sqlite, of_postgres);
    let unused = |(table, ..): &&Column| table == "template" || table == "invitation";
    assert_eq!(of_sqlite.iter().find(unused), None);
}
