/// One SQL statement with its bind values, written as an interpolated string.
///
/// `"select id from chat.messages where id = \(id)"` binds `id` as `$1`; a value never becomes part of the text. Two
/// labels do paste: `\(unsafeRaw: text)` for text that no user can influence (a column list), and `\(sql: other)` for
/// another statement, whose binds are renumbered. Types are sent with the values, so a value meets a column of another
/// type through an explicit cast: `\(text)::jsonb`.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text as PostgreSQL gets it, with `$1`, `$2`… in place of the values.
    package private(set) var text: String
    /// Offsets in the UTF-8 of `text` where each placeholder's `$` stands, ascending.
    private var placeholders: [Int] = []
    /// The values in binary form.
    private(set) var binds = PostgresBinds()

    package init(stringLiteral text: String) {
        self.text = text
    }

    package init(stringInterpolation interpolation: Interpolation) {
        self = interpolation.sql
    }

    /// Builds the text and the binds while the literal is evaluated.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var sql: SQL

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(stringLiteral: "")
            sql.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            sql.placeholders.reserveCapacity(interpolationCount)
        }

        /// Appends the text between two values.
        package mutating func appendLiteral(_ literal: String) {
            sql.text += literal
        }

        /// Binds `value` as the next parameter.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            sql.binds.append(value)
            sql.appendPlaceholder(number: sql.binds.count)
        }

        /// Binds `value`, or NULL, as the next parameter.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            sql.binds.append(value)
            sql.appendPlaceholder(number: sql.binds.count)
        }

        /// Pastes `text` as SQL. Only for text written in the source, never for anything that came from outside.
        package mutating func appendInterpolation(unsafeRaw text: String) {
            sql.text += text
        }

        /// Pastes another statement and appends its binds, renumbering its placeholders.
        package mutating func appendInterpolation(sql other: SQL) {
            sql.append(other)
        }
    }

    /// Appends another piece of SQL, renumbering its placeholders.
    package mutating func append(_ other: SQL) {
        let shift = binds.count
        var rest = Substring(other.text).utf8
        for (index, placeholder) in other.placeholders.enumerated() {
            let taken = other.text.utf8.count - rest.count
            text += String(Substring(rest.prefix(placeholder - taken)))
            appendPlaceholder(number: shift + index + 1)
            rest = rest.dropFirst(placeholder - taken + 1).drop(while: { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        }
        text += String(Substring(rest))
        binds.append(contentsOf: other.binds)
    }

    private mutating func appendPlaceholder(number: Int) {
        placeholders.append(text.utf8.count)
        text += "$"
        text += String(number)
    }
}
