// What `#[derive(SyncTable)]` adds to the model in `src/snapshot.rs`, for reading; a test compares it with the output.
// An attribute such as `#[__if_sqlite]` stands for the library's macro around the item, which keeps it if the library has
// that feature.

/// What an insert of a [`User`] gives; `None` takes the database's default.
#[derive(Debug)]
#[derive(::diesel::Insertable)]
#[diesel(table_name = schema::users)]
#[allow(dead_code, reason = "the derive writes it, whether it is used or not")]
pub struct UserInsert {
    /// The column `id`.
    #[diesel(column_name = id)]
    pub id: String,
    /// The full name.
    #[diesel(column_name = name)]
    pub name: ::core::option::Option<String>,
    /// The column `team`.
    #[diesel(column_name = team)]
    pub team: ::core::option::Option<String>,
}
/// What an edit of a [`User`] changes: `None` leaves a column alone, `Some(None)` makes it NULL.
#[derive(Debug)]
#[allow(dead_code, reason = "the derive writes it, whether it is used or not")]
pub struct UserChangeset {
    /// The full name.
    pub name: ::core::option::Option<Option<String>>,
    /// The column `team`.
    pub team: ::core::option::Option<String>,
}
const _: () = {
    #[automatically_derived]
    impl ::core::clone::Clone for UserInsert
    where
        for<'always> String: ::core::clone::Clone,
        for<'always> ::core::option::Option<String>: ::core::clone::Clone,
        for<'always> ::core::option::Option<String>: ::core::clone::Clone,
    {
        fn clone(&self) -> Self {
            UserInsert {
                id: ::core::clone::Clone::clone(&self.id),
                name: ::core::clone::Clone::clone(&self.name),
                team: ::core::clone::Clone::clone(&self.team),
            }
        }
    }
    #[automatically_derived]
    impl ::core::default::Default for UserInsert
    where
        for<'always> String: ::core::default::Default,
        for<'always> ::core::option::Option<String>: ::core::default::Default,
        for<'always> ::core::option::Option<String>: ::core::default::Default,
    {
        fn default() -> Self {
            UserInsert {
                id: ::core::default::Default::default(),
                name: ::core::default::Default::default(),
                team: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<User> for UserInsert {
        fn from(row: User) -> Self {
            UserInsert {
                id: row.id,
                name: row.name,
                team: ::core::option::Option::Some(row.team),
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for UserChangeset
    where
        for<'always> ::core::option::Option<Option<String>>: ::core::clone::Clone,
        for<'always> ::core::option::Option<String>: ::core::clone::Clone,
    {
        fn clone(&self) -> Self {
            UserChangeset {
                name: ::core::clone::Clone::clone(&self.name),
                team: ::core::clone::Clone::clone(&self.team),
            }
        }
    }
    #[automatically_derived]
    impl ::core::default::Default for UserChangeset
    where
        for<'always> ::core::option::Option<Option<String>>: ::core::default::Default,
        for<'always> ::core::option::Option<String>: ::core::default::Default,
    {
        fn default() -> Self {
            UserChangeset {
                name: ::core::default::Default::default(),
                team: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<User> for UserChangeset {
        fn from(row: User) -> Self {
            UserChangeset {
                name: ::core::option::Option::Some(row.name),
                team: ::core::option::Option::Some(row.team),
            }
        }
    }
    #[automatically_derived]
    impl<'a> ::diesel::query_builder::AsChangeset for &'a UserChangeset {
        type Target = schema::users::table;
        type Changeset = <(
            ::core::option::Option<
                ::carburetor::__private::Set<
                    schema::users::name,
                    Option<String>,
                    &'a Option<String>,
                >,
            >,
            ::core::option::Option<
                ::carburetor::__private::Set<schema::users::team, String, &'a String>,
            >,
        ) as ::diesel::query_builder::AsChangeset>::Changeset;
        fn as_changeset(self) -> Self::Changeset {
            ::diesel::query_builder::AsChangeset::as_changeset((
                self
                    .name
                    .as_ref()
                    .map(|value| ::carburetor::__private::set::<
                        _,
                        Option<String>,
                        _,
                    >(schema::users::name, value)),
                self
                    .team
                    .as_ref()
                    .map(|value| ::carburetor::__private::set::<
                        _,
                        String,
                        _,
                    >(schema::users::team, value)),
            ))
        }
    }
    #[automatically_derived]
    impl ::diesel::query_builder::AsChangeset for UserChangeset {
        type Target = schema::users::table;
        type Changeset = <(
            ::core::option::Option<
                ::carburetor::__private::Set<
                    schema::users::name,
                    Option<String>,
                    Option<String>,
                >,
            >,
            ::core::option::Option<
                ::carburetor::__private::Set<schema::users::team, String, String>,
            >,
        ) as ::diesel::query_builder::AsChangeset>::Changeset;
        fn as_changeset(self) -> Self::Changeset {
            ::diesel::query_builder::AsChangeset::as_changeset((
                self
                    .name
                    .map(|value| ::carburetor::__private::set::<
                        _,
                        Option<String>,
                        _,
                    >(schema::users::name, value)),
                self
                    .team
                    .map(|value| ::carburetor::__private::set::<
                        _,
                        String,
                        _,
                    >(schema::users::team, value)),
            ))
        }
    }
};
const _: () = {
    #[automatically_derived]
    impl ::carburetor::SyncTable for User {
        type Table = schema::users::table;
        type Id = String;
        type Insert = UserInsert;
        type Changeset = UserChangeset;
        const NAME: &'static str = "users";
        const MODEL: &'static str = ::core::concat!(
            ::core::module_path!(), "::", ::core::stringify!(User), ":", ::core::line!(),
            ":", ::core::column!()
        );
        fn id(&self) -> Self::Id {
            ::core::clone::Clone::clone(&self.id)
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl ::carburetor::table::TableOn<::diesel::sqlite::Sqlite> for User {
        type Source = schema::users::table;
        fn definition() -> &'static ::carburetor::table::TableDefinition {
            static DEFINITION: ::carburetor::__private::OnceLock<
                ::carburetor::table::TableDefinition,
            > = ::carburetor::__private::OnceLock::new();
            DEFINITION
                .get_or_init(|| {
                    let codecs = <Self as ::carburetor::table::TableOn<
                        ::diesel::sqlite::Sqlite,
                    >>::codecs();
                    ::carburetor::table::TableDefinition {
                        conflict: ::carburetor::table::Conflict::ServerWins,
                        columns: ::std::vec![
                            ::carburetor::table::ColumnDefinition { id : true, ..
                            ::carburetor::__private::column:: < schema::users::id,
                            ::diesel::sqlite::Sqlite > (& codecs[0]) },
                            ::carburetor::table::ColumnDefinition { ..
                            ::carburetor::__private::column:: < schema::users::name,
                            ::diesel::sqlite::Sqlite > (& codecs[1]) },
                            ::carburetor::table::ColumnDefinition { visible_by : true,
                            default : true, .. ::carburetor::__private::column:: <
                            schema::users::team, ::diesel::sqlite::Sqlite > (& codecs[2])
                            }, ::carburetor::table::ColumnDefinition { last_synced_at :
                            true, .. ::carburetor::__private::column:: <
                            schema::users::updated_at, ::diesel::sqlite::Sqlite > (&
                            codecs[3]) }
                        ],
                        ..::carburetor::__private::base(
                            schema::users::table,
                            &::diesel::sqlite::Sqlite,
                            <Self as ::carburetor::SyncTable>::NAME,
                        )
                    }
                })
        }
        fn codecs() -> &'static [::carburetor::wire::Codec<::diesel::sqlite::Sqlite>] {
            static CODECS: ::carburetor::__private::OnceLock<
                ::std::vec::Vec<::carburetor::wire::Codec<::diesel::sqlite::Sqlite>>,
            > = ::carburetor::__private::OnceLock::new();
            CODECS
                .get_or_init(|| {
                    ::std::vec![
                        ::carburetor::__codec!(::diesel::dsl::SqlTypeOf <
                        schema::users::id >, ::diesel::sqlite::Sqlite),
                        ::carburetor::__codec!(::diesel::dsl::SqlTypeOf <
                        schema::users::name >, ::diesel::sqlite::Sqlite),
                        ::carburetor::__codec!(::diesel::dsl::SqlTypeOf <
                        schema::users::team >, ::diesel::sqlite::Sqlite),
                        ::carburetor::__codec!(::diesel::dsl::SqlTypeOf <
                        schema::users::updated_at >, ::diesel::sqlite::Sqlite)
                    ]
                })
        }
        fn read<'a>(
            row: &impl ::diesel::row::Row<'a, ::diesel::sqlite::Sqlite>,
            at: usize,
        ) -> ::diesel::deserialize::Result<Self> {
            ::core::result::Result::Ok(User {
                id: ::carburetor::__private::read::<
                    Self,
                    _,
                    _,
                >(
                    row,
                    at,
                    0,
                    |value| <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::id>,
                        ::diesel::sqlite::Sqlite,
                    >>::read(value),
                )?,
                name: ::carburetor::__private::read::<
                    Self,
                    _,
                    _,
                >(
                    row,
                    at,
                    1,
                    |value| <Option<
                        String,
                    > as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::name>,
                        ::diesel::sqlite::Sqlite,
                    >>::read(value),
                )?,
                team: ::carburetor::__private::read::<
                    Self,
                    _,
                    _,
                >(
                    row,
                    at,
                    2,
                    |value| <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::team>,
                        ::diesel::sqlite::Sqlite,
                    >>::read(value),
                )?,
                updated_at: ::carburetor::__private::read::<
                    Self,
                    _,
                    _,
                >(
                    row,
                    at,
                    3,
                    |value| <NaiveDateTime as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
                        ::diesel::sqlite::Sqlite,
                    >>::read(value),
                )?,
            })
        }
        fn encode(
            &self,
        ) -> ::core::result::Result<
            ::carburetor::__private::Row,
            ::carburetor::wire::WireError,
        > {
            let mut row = ::carburetor::__private::Sent::<
                Self,
                ::diesel::sqlite::Sqlite,
            >::default();
            row.put(
                0,
                &self.id,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                1,
                &self.name,
                <Option<
                    String,
                > as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::name>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                2,
                &self.team,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::team>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                3,
                &self.updated_at,
                <NaiveDateTime as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            ::core::result::Result::Ok(row.done())
        }
        fn encode_column(
            &self,
            number: usize,
        ) -> ::core::result::Result<
            ::carburetor::__private::Row,
            ::carburetor::wire::WireError,
        > {
            let mut row = ::carburetor::__private::Sent::<
                Self,
                ::diesel::sqlite::Sqlite,
            >::only(number);
            row.put(
                0,
                &self.id,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                1,
                &self.name,
                <Option<
                    String,
                > as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::name>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                2,
                &self.team,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::team>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            row.put(
                3,
                &self.updated_at,
                <NaiveDateTime as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            ::core::result::Result::Ok(row.done())
        }
        fn decode(
            row: ::carburetor::__private::Row,
        ) -> ::core::result::Result<Self, ::carburetor::wire::WireError> {
            let mut row = ::carburetor::__private::Received::<
                Self,
                ::diesel::sqlite::Sqlite,
            >::new(row);
            ::core::result::Result::Ok(User {
                id: row
                    .take(
                        0,
                        <String as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::id>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
                name: row
                    .take(
                        1,
                        <Option<
                            String,
                        > as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::name>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
                team: match row
                    .given(
                        2,
                        <String as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::team>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?
                {
                    ::core::option::Option::Some(given) => given,
                    ::core::option::Option::None => String::from("red"),
                },
                updated_at: row
                    .take(
                        3,
                        <NaiveDateTime as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
            })
        }
        fn read_id<'a>(
            row: &impl ::diesel::row::Row<'a, ::diesel::sqlite::Sqlite>,
            at: usize,
        ) -> ::diesel::deserialize::Result<Self::Id> {
            ::carburetor::__private::read::<
                Self,
                _,
                _,
            >(
                row,
                at,
                0,
                |value| <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::read(value),
            )
        }
        fn bind_id<'b>(
            id: &'b Self::Id,
            part: usize,
            out: ::diesel::query_builder::AstPass<'_, 'b, ::diesel::sqlite::Sqlite>,
        ) -> ::diesel::QueryResult<()> {
            match part {
                0 => {
                    <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::id>,
                        ::diesel::sqlite::Sqlite,
                    >>::bind_as_column(id, out)
                }
                _ => {
                    ::carburetor::__private::no_such_part::<
                        Self,
                        ::diesel::sqlite::Sqlite,
                    >(part)
                }
            }
        }
        fn encode_id(
            id: &Self::Id,
        ) -> ::core::result::Result<
            ::carburetor::__private::Value,
            ::carburetor::wire::WireError,
        > {
            ::carburetor::__private::encode::<
                Self,
                _,
                _,
            >(
                0,
                id,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )
        }
        fn decode_id(
            id: ::carburetor::__private::Value,
        ) -> ::core::result::Result<Self::Id, ::carburetor::wire::WireError> {
            ::carburetor::__private::decode::<
                Self,
                _,
                _,
            >(
                0,
                id,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::decode,
            )
        }
        fn admit(
            number: usize,
            value: &::carburetor::__private::Value,
        ) -> ::core::result::Result<
            ::core::option::Option<
                <::diesel::sqlite::Sqlite as ::carburetor::wire::WireBackend>::WireValue,
            >,
            ::carburetor::wire::WireError,
        > {
            ::carburetor::__private::admit::<
                Self,
                ::diesel::sqlite::Sqlite,
            >(
                number,
                value,
                &[
                    <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::id>,
                        ::diesel::sqlite::Sqlite,
                    >>::admit,
                    <Option<
                        String,
                    > as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::name>,
                        ::diesel::sqlite::Sqlite,
                    >>::admit,
                    <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::team>,
                        ::diesel::sqlite::Sqlite,
                    >>::admit,
                    <NaiveDateTime as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
                        ::diesel::sqlite::Sqlite,
                    >>::admit,
                ],
            )
        }
    }
    #[__if_sqlite]
    const _: () = ::carburetor::__private::id_is_never_null::<
        ::diesel::dsl::SqlTypeOf<schema::users::id>,
    >();
    #[__if_sqlite]
    const _: () = ::carburetor::__private::instant::<
        ::diesel::dsl::SqlTypeOf<schema::users::updated_at>,
        ::diesel::sqlite::Sqlite,
    >();
    #[__if_sqlite]
    #[automatically_derived]
    impl ::carburetor::__private::Companion for UserInsert {
        fn encode(
            &self,
        ) -> ::core::result::Result<
            ::carburetor::__private::Row,
            ::carburetor::wire::WireError,
        > {
            let mut row = ::carburetor::__private::Sent::<
                User,
                ::diesel::sqlite::Sqlite,
            >::default();
            row.put(
                0,
                &self.id,
                <String as ::carburetor::table::SyncField<
                    ::diesel::dsl::SqlTypeOf<schema::users::id>,
                    ::diesel::sqlite::Sqlite,
                >>::encode,
            )?;
            if self.name.is_some() {
                row.put(
                    1,
                    &self.name,
                    <Option<
                        String,
                    > as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::name>,
                        ::diesel::sqlite::Sqlite,
                    >>::encode,
                )?;
            }
            if let ::core::option::Option::Some(given) = &self.team {
                row.put(
                    2,
                    given,
                    <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::team>,
                        ::diesel::sqlite::Sqlite,
                    >>::encode,
                )?;
            }
            ::core::result::Result::Ok(row.done())
        }
        fn decode(
            row: ::carburetor::__private::Row,
        ) -> ::core::result::Result<Self, ::carburetor::wire::WireError> {
            let mut row = ::carburetor::__private::Received::<
                User,
                ::diesel::sqlite::Sqlite,
            >::new(row);
            ::core::result::Result::Ok(UserInsert {
                id: row
                    .take(
                        0,
                        <String as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::id>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
                name: row
                    .given(
                        1,
                        <Option<
                            String,
                        > as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::name>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?
                    .flatten(),
                team: row
                    .given(
                        2,
                        <String as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::team>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
            })
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl ::carburetor::__private::serde::Serialize for UserInsert {
        fn serialize<S: ::carburetor::__private::serde::Serializer>(
            &self,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            ::carburetor::__private::serialize(self, serializer)
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl<'de> ::carburetor::__private::serde::Deserialize<'de> for UserInsert {
        fn deserialize<D: ::carburetor::__private::serde::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Self, D::Error> {
            ::carburetor::__private::deserialize(deserializer)
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl ::carburetor::__private::Companion for UserChangeset {
        fn encode(
            &self,
        ) -> ::core::result::Result<
            ::carburetor::__private::Row,
            ::carburetor::wire::WireError,
        > {
            let mut row = ::carburetor::__private::Sent::<
                User,
                ::diesel::sqlite::Sqlite,
            >::default();
            if let ::core::option::Option::Some(given) = &self.name {
                row.put(
                    1,
                    given,
                    <Option<
                        String,
                    > as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::name>,
                        ::diesel::sqlite::Sqlite,
                    >>::encode,
                )?;
            }
            if let ::core::option::Option::Some(given) = &self.team {
                row.put(
                    2,
                    given,
                    <String as ::carburetor::table::SyncField<
                        ::diesel::dsl::SqlTypeOf<schema::users::team>,
                        ::diesel::sqlite::Sqlite,
                    >>::encode,
                )?;
            }
            ::core::result::Result::Ok(row.done())
        }
        fn decode(
            row: ::carburetor::__private::Row,
        ) -> ::core::result::Result<Self, ::carburetor::wire::WireError> {
            let mut row = ::carburetor::__private::Received::<
                User,
                ::diesel::sqlite::Sqlite,
            >::new(row);
            ::core::result::Result::Ok(UserChangeset {
                name: row
                    .given(
                        1,
                        <Option<
                            String,
                        > as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::name>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
                team: row
                    .given(
                        2,
                        <String as ::carburetor::table::SyncField<
                            ::diesel::dsl::SqlTypeOf<schema::users::team>,
                            ::diesel::sqlite::Sqlite,
                        >>::decode,
                    )?,
            })
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl ::carburetor::__private::serde::Serialize for UserChangeset {
        fn serialize<S: ::carburetor::__private::serde::Serializer>(
            &self,
            serializer: S,
        ) -> ::core::result::Result<S::Ok, S::Error> {
            ::carburetor::__private::serialize(self, serializer)
        }
    }
    #[__if_sqlite]
    #[automatically_derived]
    impl<'de> ::carburetor::__private::serde::Deserialize<'de> for UserChangeset {
        fn deserialize<D: ::carburetor::__private::serde::Deserializer<'de>>(
            deserializer: D,
        ) -> ::core::result::Result<Self, D::Error> {
            ::carburetor::__private::deserialize(deserializer)
        }
    }
};
