//! Trees of files in a folder of their own, and the same trees read by ifupdown2's own parser.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(main: &str) -> Self {
        Self(tempfile::tempdir().unwrap()).file("etc/network/interfaces", main)
    }

    /// `ROOT` in the text is the folder that stands for `/`.
    fn file(self, path: &str, text: &str) -> Self {
        let text = text.replace("ROOT", self.0.path().to_str().unwrap());
        self.bytes(path, text.as_bytes())
    }

    fn bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.0.path().join(path)).unwrap();
        self
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("etc/network/interfaces")
    }

    fn read_under(&self, root: &Path) -> Result<Vec<Sourced>, Fault> {
        let paths = Paths { root: root.to_owned(), interfaces: self.main(), ..Paths::default() };
        read(&paths, &Interfaces::parse(&fs::read(self.main()).unwrap()))
    }

    /// The files below `etc/network` that are read.
    fn files(&self) -> String {
        let files = self.read_under(self.0.path()).unwrap().into_iter().map(|sourced| {
            let path = sourced.path.strip_prefix(self.0.path().join("etc/network")).unwrap().to_owned();
            path.into_os_string().into_string().unwrap()
        });
        files.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn wildcards_find_every_file_that_is_not_hidden() {
    let tree = Tree::new("source /etc/network/interfaces.d/*\n")
        .file("etc/network/interfaces.d/sdn", "iface vnet1\n\tbridge_ports none\n")
        .file("etc/network/interfaces.d/a.cfg~", "")
        .file("etc/network/interfaces.d/.hidden", "")
        .file("etc/network/interfaces.d/folder/inside", "")
        .link("etc/network/interfaces.d/gone", "nowhere")
        .link("etc/network/interfaces.d/circle", "circle")
        .link("etc/network/interfaces.d/linked", "../elsewhere")
        .file("etc/network/elsewhere", "");
    assert_eq!(tree.files(), "interfaces.d/a.cfg~ interfaces.d/linked interfaces.d/sdn");
    let sourced = tree.read_under(tree.0.path()).unwrap();
    assert_eq!(sourced[2].interfaces.names(), ["vnet1"]);
}

#[test]
fn a_line_without_a_file_leads_nowhere() {
    let tree = Tree::new(
        "source\nsource /etc/network/absent\nsource /etc/network/interfaces.d/*\nsource-directory /x\n",
    );
    assert_eq!(tree.files(), "");
    assert_eq!(Tree::new("iface a inet manual\n").files(), "");
}

#[test]
fn a_directory_is_read_for_plain_names_only() {
    let tree = Tree::new("source-directory /etc/network/*.d\n")
        .file("etc/network/interfaces.d/sdn", "")
        .file("etc/network/interfaces.d/Vlan_1-2", "")
        .file("etc/network/interfaces.d/sdn.bak", "")
        .file("etc/network/interfaces.d/sdn~", "")
        .file("etc/network/other.d/x", "");
    assert_eq!(tree.files(), "interfaces.d/Vlan_1-2 interfaces.d/sdn other.d/x");
}

#[test]
fn a_relative_path_is_looked_for_under_the_root_and_beside_the_file() {
    let tree = Tree::new("source interfaces.d/*\nsource etc/network/more\n")
        .file("etc/network/interfaces.d/a", "source b\n")
        .file("etc/network/interfaces.d/b", "")
        .file("etc/network/more", "");
    assert_eq!(tree.files(), "interfaces.d/a interfaces.d/b more");
}

#[test]
fn files_are_read_in_the_order_of_the_lines_each_where_it_is_first_named() {
    let tree = Tree::new("source /etc/network/z\niface a\nsource /etc/network/a /etc/network/ignored\n")
        .file("etc/network/z", "source /etc/network/m\n")
        .file("etc/network/m", "source /etc/network/a\n")
        .file("etc/network/a", "")
        .file("etc/network/ignored", "");
    assert_eq!(tree.files(), "z m a");
}

#[test]
fn a_circle_ends_where_it_closes() {
    let tree = Tree::new("source /etc/network/a\n")
        .file("etc/network/a", "source /etc/network/b\nsource /etc/network/a\n")
        .file("etc/network/b", "source /etc/network/interfaces\nsource /etc/network/again\n")
        .link("etc/network/again", "a");
    assert_eq!(tree.files(), "a b");
}

#[test]
fn what_is_not_utf8_is_read() {
    let tree = Tree::new("source /etc/network/a\n")
        .bytes("etc/network/a", b"iface a\n# \xff\nsource /etc/network/b\n");
    assert_eq!(tree.file("etc/network/b", "").files(), "a b");
}

#[test]
fn too_many_files_and_too_many_bytes_are_refused() {
    let mut tree = Tree::new("source /etc/network/d/*\n");
    for number in 0..=MOST_FILES {
        tree = tree.file(&format!("etc/network/d/{number}"), "");
    }
    let fault = tree.read_under(tree.0.path()).unwrap_err();
    assert_eq!(fault.code, "file_unreadable");
    assert!(fault.message.contains("more than 1000 files or 16 MiB"), "{fault}");

    let tree = Tree::new("source /etc/network/large\n");
    let large = File::create(tree.0.path().join("etc/network/large")).unwrap();
    large.set_len(MOST_BYTES).unwrap();
    assert_eq!(tree.files(), "large");
    large.set_len(MOST_BYTES + 1).unwrap();
    assert_eq!(tree.read_under(tree.0.path()).unwrap_err().code, "file_unreadable");
}

/// Prints the files that ifupdown2 reads, and the interfaces that it finds, a line each.
const IFUPDOWN2: &str = "
import sys
sys.path.insert(0, sys.argv[1])
from ifupdown.networkinterfaces import networkInterfaces
class Reader(networkInterfaces):
    def read_filedata(self, text):
        print('file', self._currentfile)
        super().read_filedata(text)
reader = Reader(sys.argv[2])
reader.subscribe('iface_found', lambda found: print('iface', found.name))
reader.load()
";

#[test]
fn ifupdown2_itself_reads_the_same_files_and_finds_the_same_interfaces() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.lab/root/usr/share/ifupdown2");
    assert!(modules.exists(), "no ifupdown2 in `{}`; hint: `make lab-root`", modules.display());
    let tree = Tree::new(
        "auto a\niface a inet manual\n  source ROOT/etc/network/*.d/[!x]*\n\tsource ROOT/etc/network/interfaces.d/.h*\n\
         source ROOT/etc/network/absent\nsource\tROOT/etc/network/first  ROOT/etc/network/second\n\
         #source ROOT/etc/network/second\nsource ROOT/etc/\\\nnetwork/third\n",
    )
    .file("etc/network/interfaces.d/sdn", "iface b\n\tbridge_ports none\nsource ROOT/etc/network/n?sted[1-3]\n")
    .file("etc/network/interfaces.d/x", "iface x\n")
    .file("etc/network/interfaces.d/.hidden", "iface hidden inet6 auto\n")
    .file("etc/network/interfaces.d/folder/f", "iface f\n")
    .file("etc/network/other.d/[", "iface bracket\n")
    .file("etc/network/nested1", "iface c inet manual\niface c inet6 manual\n")
    .file("etc/network/nested4", "iface d\n")
    .file("etc/network/first", "iface e\n")
    .file("etc/network/second", "iface g\n")
    .file("etc/network/third", "iface i\n")
    .link("etc/network/interfaces.d/gone", "nowhere");

    let output = Command::new("python3")
        .args(["-B", "-c", IFUPDOWN2])
        .args([&modules, &tree.main()])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut theirs: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    // Its 3.0 takes files in the folder's own order, and an interface once for each of its families.
    theirs.sort_unstable();
    theirs.dedup();

    let main = Interfaces::parse(&fs::read(tree.main()).unwrap());
    let mut ours = vec![format!("file {}", tree.main().display())];
    ours.extend(main.names().iter().map(|name| format!("iface {name}")));
    for sourced in tree.read_under(Path::new("/")).unwrap() {
        ours.push(format!("file {}", sourced.path.display()));
        ours.extend(sourced.interfaces.names().iter().map(|name| format!("iface {name}")));
    }
    ours.sort_unstable();
    assert_eq!(ours, theirs);
}
