//! A device whose account is shown less while it follows.

use super::super::super::program::device;
use super::*;
use carburetor::replica::{Http, Phase, Replica};
use carburetor_tests::Folder;
use futures_util::StreamExt;
use std::pin::pin;

#[test]
fn a_device_loses_what_it_may_not_see_while_it_follows_and_then_its_access() {
    use device::notes::dsl;
    let world = World::new(Limits::default());
    let program = &world.program;
    let folder = Folder::new();
    let transport = Http::with_client(program.client("ann"), &program.url("web")).unwrap();
    let replica: Replica<SyncGroup<(device::Note,)>> =
        Replica::open(folder.file("device"), transport).unwrap();
    let conn = &mut replica.connection().unwrap();
    let mut ids = move || -> Vec<String> {
        dsl::notes
            .select(dsl::id)
            .order(dsl::id)
            .load(conn)
            .unwrap()
    };
    program.runtime.block_on(async {
        let mut statuses = pin!(replica.status());
        let steps = async {
            let shows = async |ids: &mut dyn FnMut() -> Vec<String>, expected: &[&str]| {
                while ids() != expected {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            shows(&mut ids, &["a", "b", "x"]).await;
            world.members.set("ann", &["red"]);
            world.refresh.of(|member: &Member| member.name == "ann");
            shows(&mut ids, &["a", "b"]).await;
            world.members.set("ann", &["red", "blue"]);
            world.refresh.all();
            shows(&mut ids, &["a", "b", "x"]).await;
            world.members.remove("ann");
            world.refresh.all();
            while let Some(status) = statuses.next().await {
                if let Phase::Offline { reason, .. } = &status.phase
                    && reason.to_string().contains("403")
                {
                    break;
                }
            }
        };
        tokio::select! {
            ended = replica.run() => panic!("{:?}", ended.err()),
            done = tokio::time::timeout(Duration::from_secs(60), steps) => done.unwrap(),
        }
    });
}
