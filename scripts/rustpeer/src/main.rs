//! Reads all datasets of the root group of a file into memory, one after the other, and prints how many bytes they have.
use rust_hdf5::H5File;

fn main() {
    let path = std::env::args().nth(1).expect("usage: rustpeer FILE");
    let file = H5File::open(&path).expect("open");
    let mut total = 0usize;
    for name in file.dataset_names() {
        let data = file.dataset(&name).expect("dataset").read_raw_bytes().expect("read");
        total += data.len();
        std::hint::black_box(&data);
    }
    println!("{total}");
}
