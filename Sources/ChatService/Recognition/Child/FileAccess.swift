import CLinux
import Glibc

/// Landlock (landlock(7)): which files the child can open. None to write; to read, only what programs and libraries
/// are made of. Documents come to it open.
enum FileAccess {
    private static let execute: UInt64 = 1 << 0
    private static let readFile: UInt64 = 1 << 2
    private static let readFolder: UInt64 = 1 << 3
    private static let writeFile: UInt64 = 1 << 1

    /// `O_PATH` (open(2)), which <fcntl.h> declares only with _GNU_SOURCE.
    private static let placeOnly: Int32 = 0o10_000_000

    /// The rights a kernel knows, by the version of its interface; those it does not know it would refuse.
    private static func rights(version: Int) -> UInt64 {
        switch version {
        case 1: 1 << 13 - 1
        case 2: 1 << 14 - 1
        case 3, 4: 1 << 15 - 1
        default: 1 << 16 - 1
        }
    }

    /// Refuses every other file from now on, to this process and what it starts. Does nothing on a kernel without.
    static func confine() {
        let version = parley_syscall(Int(SYS_landlock_create_ruleset), 0, 0, 1, 0)
        guard version > 0 else { return }
        // Version 4 adds TCP ports, version 6 signals and abstract sockets; with no rule for them all are refused.
        var attributes: [UInt64] = [rights(version: version)]
        if version >= 4 { attributes.append(0b11) }
        if version >= 6 { attributes.append(0b11) }
        let rules = attributes.withUnsafeBytes {
            parley_syscall(Int(SYS_landlock_create_ruleset), Int(bitPattern: $0.baseAddress), $0.count, 0, 0)
        }
        guard rules >= 0 else { return }
        defer { close(Int32(rules)) }
        for folder in programFolders { allow(folder, execute | readFile | readFolder, Int32(rules)) }
        for file in readable { allow(file, readFile | readFolder, Int32(rules)) }
        allow("/dev/null", readFile | writeFile, Int32(rules))
        _ = parley_syscall(Int(SYS_landlock_restrict_self), rules, 0, 0, 0)
    }

    /// Programs, libraries, languages, fonts.
    private static var programFolders: [String] {
        ["/usr", "/bin", "/lib", "/lib64"] + list("PATH") + list("LD_LIBRARY_PATH")
    }

    private static var readable: [String] {
        ["/etc/ld.so.cache", "/etc/fonts", "/var/cache/fontconfig", "/dev/urandom", "/sys/devices/system/cpu"]
            + list("TESSDATA_PREFIX")
    }

    private static func list(_ variable: String) -> [String] {
        guard let value = getenv(variable) else { return [] }
        return String(cString: value).split(separator: ":").map(String.init)
    }

    private static func allow(_ path: String, _ rights: UInt64, _ rules: Int32) {
        let place = open(path, placeOnly | O_CLOEXEC)
        guard place >= 0 else { return }
        defer { close(place) }
        var about = stat()
        fstat(place, &about)
        // What only folders can be asked for is refused for a file.
        let isFolder = about.st_mode & S_IFMT == S_IFDIR
        // `struct landlock_path_beneath_attr` is packed: eight bytes of rights, four of descriptor.
        withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { rule in
            rule.storeBytes(of: isFolder ? rights : rights & ~readFolder, as: UInt64.self)
            rule.storeBytes(of: place, toByteOffset: 8, as: Int32.self)
            _ = parley_syscall(Int(SYS_landlock_add_rule), Int(rules), 1, Int(bitPattern: rule.baseAddress), 0)
        }
    }
}
