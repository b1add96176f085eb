//! tmp
use jirani_energy_tests::{World, audit};
use jirani_energy_interface::client::FillAccounts;
use jirani_energy_interface::Proof;
#[test]
fn walk() {
    let mut w = World::new();
    w.enrol([1, 2]);
    w.wait(900);
    let l = w.attest(&[(1, 1000, 0), (2, 0, 100)]);
    println!("attest {l:?}");
    audit(&w);
    let o = w.new_offer(1, 1, 800, 1500);
    println!("post {:?}", w.post(&o).unwrap());
    let f = [FillAccounts { seller_id: 1, offer_id: 1, energy_wh: 500, price: 1500 }];
    println!("place {:?}", w.place(2, 1, &f).unwrap());
    audit(&w);
    println!("settle {:?}", w.settle(2, 1, &f, &Proof::receipt([9; 32]), w.now()).unwrap());
    audit(&w);
    println!("cancel {:?}", w.cancel(1, 1).unwrap());
    audit(&w);
}
