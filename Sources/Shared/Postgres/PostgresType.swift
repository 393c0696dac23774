/// A PostgreSQL type by its object identifier (`src/include/catalog/pg_type.dat`; built-in ones never change).
package struct PostgresType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let bool = PostgresType(rawValue: 16)
    package static let bytea = PostgresType(rawValue: 17)
    package static let char = PostgresType(rawValue: 18)
    package static let name = PostgresType(rawValue: 19)
    package static let int8 = PostgresType(rawValue: 20)
    package static let int2 = PostgresType(rawValue: 21)
    package static let int4 = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let oid = PostgresType(rawValue: 26)
    package static let json = PostgresType(rawValue: 114)
    package static let float4 = PostgresType(rawValue: 700)
    package static let float8 = PostgresType(rawValue: 701)
    package static let unknown = PostgresType(rawValue: 705)
    package static let bpchar = PostgresType(rawValue: 1042)
    package static let varchar = PostgresType(rawValue: 1043)
    package static let timestamptz = PostgresType(rawValue: 1184)
    package static let uuid = PostgresType(rawValue: 2950)
    package static let jsonb = PostgresType(rawValue: 3802)

    /// The type of an array of this type.
    var array: PostgresType? {
        Self.arrays[self]
    }

    /// Whether this is the array type of a type that can be decoded: those above, and of `json`, `char(n)`,
    /// `varchar`, `name`, `float4` and `jsonb`.
    var isArray: Bool {
        Self.arrayTypes.contains(self)
    }

    private static let arrayTypes = Set(arrays.values)
        .union([199, 1003, 1014, 1015, 1021, 3807].map { PostgresType(rawValue: $0) })

    private static let arrays: [PostgresType: PostgresType] = [
        .bool: .init(rawValue: 1000), .bytea: .init(rawValue: 1001), .int2: .init(rawValue: 1005),
        .int4: .init(rawValue: 1007), .text: .init(rawValue: 1009), .int8: .init(rawValue: 1016),
        .float8: .init(rawValue: 1022), .timestamptz: .init(rawValue: 1185), .uuid: .init(rawValue: 2951),
    ]
}
