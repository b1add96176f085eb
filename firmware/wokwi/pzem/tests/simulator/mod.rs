//! A stand-in for the simulator: provides what `wokwi-api.h` imports, keeps simulated
//! time, fires timers in order, and carries bytes at the line's speed.
//!
//! The chip is the real WebAssembly, built by `cargo xtask wokwi`, which names it.

use std::collections::HashMap;
use wasmi::{AsContext as _, Caller, Engine, Extern, Instance, Linker, Memory, Module, Ref, Store, Val};

/// One character of ten bits at 9,600 baud.
const CHARACTER_NS: u64 = 1_041_667;
const MICROSECOND_NS: u64 = 1_000;

#[derive(Clone, Copy)]
struct Timer {
    callback: u32,
    user_data: u32,
    due_ns: Option<u64>,
    every_ns: Option<u64>,
}

#[derive(Default)]
struct Host {
    now_ns: u64,
    pins: Vec<(String, u32)>,
    volts: HashMap<String, f32>,
    high: HashMap<String, bool>,
    attributes: Vec<(String, u32)>,
    set: HashMap<String, u32>,
    /// user_data, rx, tx, baud, rx_data, write_done
    uart: Option<[u32; 6]>,
    sent: Vec<u8>,
    busy_until_ns: u64,
    timers: Vec<Timer>,
    /// After `chipInit` nothing may be made.
    running: bool,
}

pub struct Simulator {
    store: Store<Host>,
    instance: Instance,
}

fn memory(caller: &Caller<'_, Host>) -> Memory {
    caller.get_export("memory").and_then(Extern::into_memory).expect("the chip exports its memory")
}

fn words<const N: usize>(caller: &Caller<'_, Host>, at: u32) -> [u32; N] {
    let data = memory(caller).data(caller.as_context());
    std::array::from_fn(|index| {
        let from = at as usize + 4 * index;
        u32::from_le_bytes(data[from..from + 4].try_into().unwrap())
    })
}

fn text(caller: &Caller<'_, Host>, at: u32) -> String {
    let data = &memory(caller).data(caller.as_context())[at as usize..];
    let end = data.iter().position(|byte| *byte == 0).unwrap();
    String::from_utf8(data[..end].to_vec()).unwrap()
}

fn pin(host: &Host, pin: i32) -> &str {
    &host.pins[usize::try_from(pin).unwrap()].0
}

/// Everything of the API that the chip may use, with the header's types.
fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "pinInit", |mut caller: Caller<'_, Host>, name: u32, mode: u32| -> i32 {
            let name = text(&caller, name);
            assert!(!caller.data().running, "pinInit({name}) after chipInit");
            caller.data_mut().pins.push((name, mode));
            i32::try_from(caller.data().pins.len()).unwrap() - 1
        })
        .unwrap()
        .func_wrap("env", "pinRead", |caller: Caller<'_, Host>, id: i32| -> u32 {
            u32::from(caller.data().high.get(pin(caller.data(), id)).copied().unwrap_or_default())
        })
        .unwrap()
        .func_wrap("env", "pinADCRead", |caller: Caller<'_, Host>, id: i32| -> f32 {
            let host = caller.data();
            assert_eq!(host.pins[usize::try_from(id).unwrap()].1, 4, "only an analog pin has a voltage");
            host.volts.get(pin(host, id)).copied().unwrap_or_default()
        })
        .unwrap()
        .func_wrap("env", "attrInit", |mut caller: Caller<'_, Host>, name: u32, default: u32| -> u32 {
            let name = text(&caller, name);
            assert!(!caller.data().running, "attrInit({name}) after chipInit");
            caller.data_mut().attributes.push((name, default));
            u32::try_from(caller.data().attributes.len()).unwrap() - 1
        })
        .unwrap()
        .func_wrap("env", "attrRead", |caller: Caller<'_, Host>, id: u32| -> u32 {
            let (name, default) = &caller.data().attributes[id as usize];
            caller.data().set.get(name).copied().unwrap_or(*default)
        })
        .unwrap()
        .func_wrap("env", "uartInit", |mut caller: Caller<'_, Host>, config: u32| -> u32 {
            let config = words(&caller, config);
            assert!(caller.data_mut().uart.replace(config).is_none(), "one UART is enough");
            0
        })
        .unwrap()
        .func_wrap(
            "env",
            "uartWrite",
            |mut caller: Caller<'_, Host>, _uart: u32, from: u32, count: u32| -> u32 {
                let (from, count) = (from as usize, count as usize);
                let bytes = memory(&caller).data(caller.as_context())[from..from + count].to_vec();
                let host = caller.data_mut();
                if host.now_ns < host.busy_until_ns {
                    return 0;
                }
                host.busy_until_ns = host.now_ns + CHARACTER_NS * count as u64;
                host.sent.extend(bytes);
                1
            },
        )
        .unwrap()
        .func_wrap("env", "timerInit", |mut caller: Caller<'_, Host>, config: u32| -> u32 {
            let [user_data, callback] = words(&caller, config);
            assert!(!caller.data().running, "timerInit after chipInit");
            caller.data_mut().timers.push(Timer { callback, user_data, due_ns: None, every_ns: None });
            u32::try_from(caller.data().timers.len()).unwrap() - 1
        })
        .unwrap()
        .func_wrap(
            "env",
            "timerStart",
            |mut caller: Caller<'_, Host>, timer: u32, microseconds: u32, repeat: u32| {
                let after_ns = u64::from(microseconds) * MICROSECOND_NS;
                let host = caller.data_mut();
                let due_ns = host.now_ns + after_ns;
                let timer = &mut host.timers[timer as usize];
                (timer.due_ns, timer.every_ns) = (Some(due_ns), (repeat == 1).then_some(after_ns));
            },
        )
        .unwrap()
        .func_wrap("env", "getSimNanos", |caller: Caller<'_, Host>| -> f64 { caller.data().now_ns as f64 })
        .unwrap();
    linker
}

impl Simulator {
    /// Loads the chip and makes one of it.
    pub fn start() -> Self {
        let path = std::env::var("JIRANI_PZEM_WASM")
            .expect("JIRANI_PZEM_WASM must name the built chip: `cargo xtask wokwi` builds it and runs this");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let engine = Engine::default();
        let module = Module::new(&engine, &bytes).unwrap();
        let mut store = Store::new(&engine, Host::default());
        let instance = linker(&engine).instantiate_and_start(&mut store, &module).unwrap();
        let version = instance.get_typed_func::<(), i32>(&store, "__wokwi_api_version_1").unwrap();
        assert_eq!(version.call(&mut store, ()).unwrap(), 1);
        let init = instance.get_typed_func::<(), ()>(&store, "chipInit").unwrap();
        init.call(&mut store, ()).unwrap();
        store.data_mut().running = true;
        let mut simulator = Self { store, instance };
        simulator.pass_ms(0);
        simulator
    }

    /// Names and modes of the chip's pins.
    pub fn pins(&self) -> &[(String, u32)] {
        &self.store.data().pins
    }

    /// Names of the chip's attributes.
    pub fn attributes(&self) -> Vec<&str> {
        self.store.data().attributes.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The names of the UART's pins, RX first, and its speed.
    pub fn uart(&self) -> (&str, &str, u32) {
        let [_, rx, tx, baud, ..] = self.store.data().uart.expect("the chip has a UART");
        let name = |id: u32| pin(self.store.data(), i32::try_from(id).unwrap());
        (name(rx), name(tx), baud)
    }

    /// Moves a slider.
    pub fn slide(&mut self, pin: &str, volts: f32) {
        self.store.data_mut().volts.insert(pin.to_owned(), volts);
    }

    /// Sets an attribute as the diagram or a control does.
    pub fn set(&mut self, attribute: &str, value: u32) {
        self.store.data_mut().set.insert(attribute.to_owned(), value);
    }

    /// Puts a level on a pin.
    pub fn level(&mut self, pin: &str, high: bool) {
        self.store.data_mut().high.insert(pin.to_owned(), high);
    }

    /// Lets time pass, firing timers.
    pub fn pass_ms(&mut self, ms: u64) {
        self.pass_ns(ms * 1_000_000);
    }

    fn pass_ns(&mut self, ns: u64) {
        let end = self.store.data().now_ns + ns;
        loop {
            let timers = &self.store.data().timers;
            let next = (0..timers.len())
                .filter_map(|index| Some((timers[index].due_ns?, index)))
                .min()
                .filter(|(due_ns, _)| *due_ns <= end);
            let Some((due_ns, index)) = next else { break };
            let host = self.store.data_mut();
            host.now_ns = due_ns;
            let timer = &mut host.timers[index];
            timer.due_ns = timer.every_ns.map(|every_ns| due_ns + every_ns);
            let (callback, user_data) = (timer.callback, timer.user_data);
            self.call(callback, &[user_data]);
        }
        self.store.data_mut().now_ns = end;
    }

    /// Sends these bytes one after the other at the line's speed; what came back until
    /// the line was silent again.
    pub fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        for byte in bytes {
            self.byte(*byte);
        }
        self.pass_ms(40);
        self.answer()
    }

    /// Sends one byte.
    pub fn byte(&mut self, byte: u8) {
        self.pass_ns(CHARACTER_NS);
        let [user_data, _, _, _, rx_data, _] = self.store.data().uart.unwrap();
        self.call(rx_data, &[user_data, byte.into()]);
    }

    /// What came on the line since this was asked last.
    pub fn answer(&mut self) -> Vec<u8> {
        let sent = std::mem::take(&mut self.store.data_mut().sent);
        if !sent.is_empty() {
            let [user_data, .., write_done] = self.store.data().uart.unwrap();
            self.call(write_done, &[user_data]);
        }
        sent
    }

    /// Calls a function by its place in the table, as the simulator does.
    fn call(&mut self, function: u32, arguments: &[u32]) {
        let table = self.instance.get_table(&self.store, "__indirect_function_table");
        let table = table.expect("the chip exports its table");
        let Some(Val::FuncRef(Ref::Val(function))) = table.get(&self.store, function.into()) else {
            panic!("{function} is no function");
        };
        let arguments: Vec<Val> = arguments.iter().map(|value| Val::I32(value.cast_signed())).collect();
        function.call(&mut self.store, &arguments, &mut []).unwrap();
    }
}
