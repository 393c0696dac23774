import Foundation

/// What proc(5) tells about a process.
enum ProcessFacts {
    /// A process that can be recognised again: numbers are used again, start times with them are not.
    struct Identity: Hashable, Sendable {
        let id: Int32
        /// In clock ticks since the machine was started.
        let startTime: Int
    }

    /// Nil when there is no such process, or only its remains (state `Z`).
    static func identity(of id: Int32) -> Identity? {
        guard let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        // Fields from the third on; the second is a name that may contain anything.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", let time = Int(fields[19]) else { return nil }
        return Identity(id: id, startTime: time)
    }

    /// The children of all its threads.
    static func children(of id: Int32) -> [Identity] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")) ?? []
        return threads.flatMap { thread in
            let text = try? String(contentsOfFile: "/proc/\(id)/task/\(thread)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0).flatMap { identity(of: $0) } }
        }
    }

    /// How many descriptors it has open, apart from connections to a port of 127.0.0.1.
    static func descriptors(of id: Int32, exceptConnectionsTo port: Int) -> Int {
        let connections = sockets(connectedTo: port, of: id)
        let folder = "/proc/\(id)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { name in
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")) ?? ""
            return !connections.contains(target)
        }.count
    }

    /// As `/proc/PID/fd` names them. In `/proc/PID/net/tcp` an address is `0100007F:PORT`, in hexadecimal.
    private static func sockets(connectedTo port: Int, of id: Int32) -> Set<String> {
        let table = (try? String(contentsOfFile: "/proc/\(id)/net/tcp", encoding: .utf8)) ?? ""
        let hexadecimal = String(port, radix: 16, uppercase: true)
        let remote = "0100007F:" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        return Set(
            table.split(separator: "\n").dropFirst().compactMap { line in
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[2] == remote else { return nil }
                return "socket:[\(fields[9])]"
            })
    }
}
